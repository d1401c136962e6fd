//! Which requests a run is made of.
//!
//! Every command of the mixes is one decision on one aggregate that appends one event: what
//! channel managers do all day. Registrations (which claim keys in several streams) and new
//! persons (whose keys go to disk first) belong to the preparation, not to the mix.

use clap::ValueEnum;

use crate::random::Random;

/// A kind of request, a row of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Activity on a protected deal: the next revision of a stream in use.
    RecordActivity,
    /// A new deal: the first event of a new stream, after a look at the partner's.
    DraftDeal,
    RenewCertificate,
    /// A customer reference of a partner.
    RecordReference,
    /// 20 partners by the beginning of their names.
    PageByName,
    /// 20 partners from a random place of the whole list on.
    PageByCursor,
    ReadPartner,
    ReadDeal,
    /// 20 protected deals of one partner's board.
    DealBoard,
}

use Operation::*;

/// A kind of request and how often it comes, relative to the others.
type Weights = &'static [(Operation, u64)];

const COMMANDS: Weights =
    &[(RecordActivity, 40), (DraftDeal, 35), (RenewCertificate, 15), (RecordReference, 10)];
const PAGES: Weights = &[(PageByName, 50), (PageByCursor, 50)];
const QUERIES: Weights =
    &[(PageByName, 30), (PageByCursor, 30), (ReadPartner, 20), (ReadDeal, 10), (DealBoard, 10)];
const MIXED: Weights = &[
    (RecordActivity, 20),
    (DraftDeal, 18),
    (RenewCertificate, 8),
    (RecordReference, 4),
    (PageByName, 15),
    (PageByCursor, 15),
    (ReadPartner, 10),
    (ReadDeal, 5),
    (DealBoard, 5),
];

/// What clients send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mix {
    /// 40 % activities on protected deals, 35 % new deals, 15 % certificate renewals, 10 %
    /// references
    Commands,
    /// Pages of 20 partners, half by name, half by cursor
    Pages,
    /// 60 % pages of 20 partners, 30 % single partners and deals, 10 % deal boards
    Queries,
    /// Half commands, half queries
    Mixed,
}

impl Mix {
    fn weights(self) -> Weights {
        match self {
            Self::Commands => COMMANDS,
            Self::Pages => PAGES,
            Self::Queries => QUERIES,
            Self::Mixed => MIXED,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Commands => "commands",
            Self::Pages => "pages",
            Self::Queries => "queries",
            Self::Mixed => "mixed",
        }
    }

    /// Whether deals and certificates have to be there first.
    pub(crate) fn needs_cases(self) -> bool {
        self != Self::Pages
    }

    pub(crate) fn operations(self) -> impl Iterator<Item = Operation> {
        self.weights().iter().map(|(operation, _)| *operation)
    }

    pub(crate) fn pick(self, random: &mut Random) -> Operation {
        let weights = self.weights();
        let mut left = random.below(weights.iter().map(|(_, weight)| weight).sum());
        for (operation, weight) in weights {
            match left.checked_sub(*weight) {
                Some(rest) => left = rest,
                None => return *operation,
            }
        }
        weights[0].0
    }
}

impl Operation {
    pub(crate) fn name(self) -> &'static str {
        match self {
            RecordActivity => "record activity",
            DraftDeal => "draft deal",
            RenewCertificate => "renew certificate",
            RecordReference => "record reference",
            PageByName => "page by name",
            PageByCursor => "page by cursor",
            ReadPartner => "read partner",
            ReadDeal => "read deal",
            DealBoard => "deal board",
        }
    }

    pub(crate) fn is_command(self) -> bool {
        matches!(self, RecordActivity | DraftDeal | RenewCertificate | RecordReference)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_come_as_often_as_their_weights_say() {
        let mut random = Random::new(1);
        let picked: Vec<_> = (0..10_000).map(|_| Mix::Commands.pick(&mut random)).collect();
        for (operation, weight) in COMMANDS {
            let count = picked.iter().filter(|picked| *picked == operation).count() as u64;
            assert!(count.abs_diff(weight * 100) < 200, "{operation:?}: {count}");
        }
    }
}
