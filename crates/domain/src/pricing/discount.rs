//! Which reductions apply, each with its rate. Rates add up to the rulebook's largest total.

use rust_decimal::Decimal;

use crate::Rate;
use crate::partner::PartnerStanding;
use crate::pricing::{Basis, Item, PricingError, QuoteLineKind, find};
use crate::rulebook::{PriceList, VolumeMeasure};

/// Servers and seats.
#[derive(Clone, Copy)]
pub(super) struct Volume {
    pub(super) servers: u64,
    pub(super) seats: u64,
}

impl Volume {
    pub(super) fn of(list: &PriceList, items: &[Item]) -> Result<Self, PricingError> {
        let mut volume = Self { servers: 0, seats: 0 };
        for item in items {
            let price = find(list, &item.sku)?;
            let quantity = u64::from(item.quantity);
            volume.servers += if price.counts_as_servers { quantity } else { 0 };
            volume.seats += if price.counts_as_seats { quantity } else { 0 };
        }
        Ok(volume)
    }
}

/// One reduction.
pub(super) struct Discount {
    pub(super) kind: QuoteLineKind,
    pub(super) text: String,
    pub(super) rate: Rate,
}

impl Basis<'_> {
    /// All reductions in the order of the quote's lines. `managed` includes the order.
    pub(super) fn discounts(&self, managed: Volume) -> Vec<Discount> {
        let Some(standing) = self.standing else { return Vec::new() };
        let mut discounts: Vec<Discount> = self.level_discount(standing).into_iter().collect();
        for measure in [VolumeMeasure::Servers, VolumeMeasure::Seats] {
            discounts.extend(self.volume_bonus(measure, managed));
        }
        if let Some(rate) = standing.discount_adjustment.filter(|rate| *rate != Rate::ZERO) {
            let text = format!("adjustment for this partner: {rate}");
            discounts.push(Discount { kind: QuoteLineKind::PartnerAdjustment, text, rate });
        }
        if let Some(rate) = self.rules.deals.extra_discount.filter(|_| self.deal_counts) {
            let text = format!("registered deal: {rate}");
            discounts.push(Discount { kind: QuoteLineKind::DealDiscount, text, rate });
        }
        self.limited(discounts)
    }

    /// The best of the partner's levels.
    fn level_discount(&self, standing: &PartnerStanding) -> Option<Discount> {
        let held = self.rules.discounts.levels.iter().filter(|discount| {
            let level = standing.tracks.get(&discount.track);
            level.is_some_and(|level| level.as_ref() == Some(&discount.level))
        });
        let best = held.max_by_key(|discount| discount.rate)?;
        let (level, rate) = (self.rules.level(&best.track, &best.level), best.rate);
        let name = level.map_or(best.level.as_str(), |level| level.name.as_str());
        let text = format!("level {name}: {rate}");
        Some(Discount { kind: QuoteLineKind::LevelDiscount, text, rate })
    }

    /// The highest threshold reached.
    fn volume_bonus(&self, measure: VolumeMeasure, managed: Volume) -> Option<Discount> {
        let (volume, unit) = match measure {
            VolumeMeasure::Servers => (managed.servers, "servers"),
            VolumeMeasure::Seats => (managed.seats, "seats"),
        };
        let bonuses = self.rules.discounts.volume.iter();
        let reached = bonuses.filter(|bonus| bonus.measure == measure && bonus.at_least <= volume);
        let best = reached.max_by_key(|bonus| bonus.at_least)?;
        let (at_least, rate) = (best.at_least, best.rate);
        let text = format!("{volume} {unit}, from {at_least} on: {rate}");
        Some(Discount { kind: QuoteLineKind::VolumeBonus, text, rate })
    }

    /// Cuts what goes beyond the largest total, or below the list price, and says so.
    fn limited(&self, discounts: Vec<Discount>) -> Vec<Discount> {
        let most = self.rules.discounts.total_max.unwrap_or(Rate(Decimal::ONE));
        let within = |rate: Decimal| rate.max(Decimal::ZERO).min(most.0);
        let mut sum = Decimal::ZERO;
        let limit = |discount: Discount| {
            let before = sum;
            sum += discount.rate.0;
            let rate = Rate(within(sum) - within(before));
            let text = match discount.text {
                text if rate == discount.rate => text,
                text => format!("{text}, limited to {rate}: all together is from 0 % to {most}"),
            };
            Discount { kind: discount.kind, text, rate }
        };
        discounts.into_iter().map(limit).collect()
    }
}
