//! The words of the invented world and how frequent each is. Tables only, and the draw from a table.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// A word and its weight.
pub type Weighted = (&'static str, u32);

/// Draws one word.
pub fn pick(rng: &mut ChaCha8Rng, table: &'static [Weighted]) -> &'static str {
    let total: u32 = table.iter().map(|(_, weight)| weight).sum();
    let mut left = rng.random_range(0..total);
    for (word, weight) in table {
        if left < *weight {
            return word;
        }
        left -= weight;
    }
    table[0].0
}

/// The regions of Italy, by inhabitants in ten thousands.
pub const REGIONS: &[Weighted] = &[
    ("Lombardia", 1001),
    ("Lazio", 572),
    ("Campania", 559),
    ("Veneto", 485),
    ("Sicilia", 480),
    ("Emilia-Romagna", 445),
    ("Piemonte", 425),
    ("Puglia", 389),
    ("Toscana", 366),
    ("Calabria", 184),
    ("Sardegna", 157),
    ("Liguria", 151),
    ("Marche", 148),
    ("Abruzzo", 127),
    ("Friuli-Venezia Giulia", 119),
    ("Trentino-Alto Adige", 108),
    ("Umbria", 85),
    ("Basilicata", 53),
    ("Molise", 29),
    ("Valle d'Aosta", 12),
];

pub const TARIFFS: &[Weighted] = &[
    ("Ricaricabile S", 30),
    ("Ricaricabile M", 24),
    ("Ricaricabile L", 12),
    ("Abbonamento", 16),
    ("Famiglia", 10),
    ("Business", 5),
    ("Junior", 3),
];

pub const BRANDS: &[Weighted] = &[
    ("Samsung", 32),
    ("Apple", 24),
    ("Xiaomi", 18),
    ("Oppo", 8),
    ("Motorola", 5),
    ("Honor", 4),
    ("Google", 3),
    ("Nokia", 2),
    ("Fairphone", 1),
];

/// Interests and the share (in thousandths) of people who have them: a long tail, as in life.
pub const INTERESTS: &[Weighted] = &[
    ("music", 310),
    ("football", 240),
    ("series", 220),
    ("travel", 160),
    ("cooking", 130),
    ("gaming", 110),
    ("fitness", 90),
    ("fashion", 70),
    ("finance", 45),
    ("cars", 40),
    ("photography", 28),
    ("cycling", 20),
    ("gardening", 14),
    ("opera", 6),
    ("sailing", 3),
    ("chess", 2),
];

pub const CHANNELS: &[Weighted] = &[("app", 45), ("email", 30), ("sms", 20), ("phone", 5)];

pub const FIRST_NAMES: &[Weighted] = &[
    ("giulia", 9),
    ("marco", 9),
    ("francesca", 8),
    ("luca", 8),
    ("anna", 7),
    ("andrea", 7),
    ("chiara", 6),
    ("matteo", 6),
    ("sara", 5),
    ("paolo", 5),
    ("elena", 4),
    ("giorgio", 3),
    ("ines", 2),
    ("ivo", 1),
];

pub const LAST_NAMES: &[Weighted] = &[
    ("rossi", 9),
    ("russo", 8),
    ("ferrari", 7),
    ("esposito", 7),
    ("bianchi", 6),
    ("romano", 6),
    ("colombo", 5),
    ("ricci", 5),
    ("marino", 4),
    ("greco", 4),
    ("bruno", 3),
    ("gallo", 3),
    ("conti", 2),
    ("zanetti", 1),
];

/// Domains reserved for examples: nobody's mailbox.
pub const MAIL_DOMAINS: &[Weighted] = &[("example.com", 60), ("example.org", 25), ("example.net", 15)];

pub const CATEGORIES: &[Weighted] =
    &[("phone", 30), ("accessory", 34), ("data-pack", 16), ("fibre", 9), ("tablet", 6), ("watch", 4), ("tv", 3)];

pub const BREAKAGES: &[Weighted] = &[("screen", 52), ("battery", 28), ("water", 12), ("camera", 8)];

pub const TOPICS: &[Weighted] =
    &[("billing", 34), ("coverage", 26), ("roaming", 14), ("device", 12), ("contract", 10), ("other", 8)];

/// Campaigns whose impressions were logged.
pub const CAMPAIGNS: &[Weighted] =
    &[("upgrade-2026", 40), ("fibre-autumn", 25), ("data-boost", 18), ("winback", 10), ("tv-football", 7)];
