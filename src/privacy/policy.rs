//! The decision: which signals apply to a request, and what they permit together. A use is permitted when every signal
//! that applies permits it.

use super::gpp::{self, Sections};
use super::us::us_privacy;
use super::{Permission, Reason, Signals, canada, geo, tcf, us};
use crate::config::{self, DisclosedVendors, PrivacyDuty};
use crate::schema::Use;

/// The lowest policy version of TCF 2.2, and of TCF 2.3.
const TCF_2_2: u8 = 4;
const TCF_2_3: u8 = 5;
/// Purposes that no vendor may rest on legitimate interest: 1 by law, 3 to 6 by TCF's policy.
const CONSENT_ONLY: u32 = 0b11_1101;
/// `DE`, as numbers from `A` = 0.
const GERMANY: [u8; 2] = [3, 4];
/// GPP's section of TCF Europe.
const TCF_EUROPE: u8 = 2;
const TCF_CANADA: u8 = 5;
const US_PRIVACY: u8 = 6;

/// How signals are read: the configuration, ready to be applied.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Zero = none.
    vendor: u16,
    /// For each use the purposes that it needs; bit 0 is purpose 1.
    needs: [u32; Use::ALL.len()],
    /// Purposes for which legitimate interest does.
    interests: u32,
    disclosed: DisclosedVendors,
    by_country: bool,
}

impl Policy {
    /// Applies these settings.
    pub fn new(settings: &config::Privacy) -> Self {
        let purposes = &settings.purposes;
        let needs = Use::ALL.map(|one| match one {
            Use::Target => mask(&purposes.target),
            Use::Suppress => mask(&purposes.suppress),
            Use::Cap => mask(&purposes.cap),
            Use::Insights => mask(&purposes.insights),
        });
        Policy {
            vendor: settings.tcf_vendor_id.unwrap_or(0),
            needs,
            interests: mask(&settings.legitimate_interest) & !CONSENT_ONLY,
            disclosed: settings.disclosed_vendors,
            by_country: settings.gdpr_by_country,
        }
    }

    /// What the signals permit. Pure and total: there is no error, only a denial.
    pub fn permission(&self, signals: &Signals<'_>, duty: PrivacyDuty) -> Permission {
        let mut permission = Permission::ALL;
        let plain = [(signals.coppa, Reason::Coppa), (signals.lmt, Reason::Lmt), (signals.gpc, Reason::Gpc)];
        if let Some((_, reason)) = plain.into_iter().find(|(flag, _)| *flag == Some(true)) {
            permission.deny_all(reason);
        } else if duty == PrivacyDuty::Required {
            self.read_strings(signals, &mut permission);
        }
        permission
    }

    /// Denies what the strings do not permit.
    fn read_strings(&self, signals: &Signals<'_>, permission: &mut Permission) {
        if let Some(reason) = us_privacy(signals.us_privacy) {
            return permission.deny_all(reason);
        }
        // `None` = no string came, or it cannot be decoded.
        let sections = Sections::read(signals.gpp).ok();
        if self.gdpr_applies(signals) {
            let inside = sections.as_ref().and_then(|sections| sections.get(TCF_EUROPE));
            match (signals.tcf, inside) {
                ("", None) => permission.deny_all(Reason::TcfMissing),
                ("", Some(text)) | (text, _) => self.read_tcf(text, permission),
            }
        }
        let applying = match (signals.gpp_sid, &sections) {
            // 0 says that it is not known yet.
            (Some(said), _) if said.iter().any(|&section| section != 0) => gpp::mask(said),
            _ if signals.gpp.is_empty() => 0,
            (_, None) => return permission.deny_all(Reason::GppUndecodable),
            // Which sections apply is not said: all that are there do, save one that is said not to.
            (_, Some(sections)) if signals.gdpr == Some(false) => sections.mask() & !(1 << TCF_EUROPE),
            (_, Some(sections)) => sections.mask(),
        };
        for section in gpp::numbers(applying) {
            if permission.is_none() {
                return;
            }
            match &sections {
                Some(sections) => self.read_section(section, sections.get(section), permission),
                None if signals.gpp.is_empty() => permission.deny_all(Reason::GppMissing),
                None => permission.deny_all(Reason::GppUndecodable),
            }
        }
    }

    fn gdpr_applies(&self, signals: &Signals<'_>) -> bool {
        let by_place = || self.by_country && geo::is_eea_or_uk(signals.country);
        signals.gdpr.unwrap_or_else(|| !signals.tcf.is_empty() || by_place())
    }

    /// Denies what a GPP section that applies does not permit.
    fn read_section(&self, section: u8, text: Option<&str>, permission: &mut Permission) {
        let Some(text) = text else {
            return permission.deny_all(if section < 31 { Reason::GppMissing } else { Reason::GppUndecodable });
        };
        match section {
            TCF_EUROPE => self.read_tcf(text, permission),
            TCF_CANADA => self.read_canada(text, permission),
            US_PRIVACY => match us_privacy(text) {
                Some(Reason::UsPrivacyOptedOut) => permission.deny_all(Reason::GppOptedOut),
                None if !text.is_empty() => {}
                _ => permission.deny_all(Reason::GppUndecodable),
            },
            _ => match us::read(section, text) {
                Err(_) => permission.deny_all(Reason::GppUndecodable),
                Ok(reading) if reading.opted_out => permission.deny_all(Reason::GppOptedOut),
                Ok(reading) if reading.gpc => permission.deny_all(Reason::GppGpc),
                Ok(reading) if reading.child_without_consent => permission.deny_all(Reason::GppChild),
                Ok(_) => {}
            },
        }
    }

    /// Denies what a TCF string does not permit.
    fn read_tcf(&self, text: &str, permission: &mut Permission) {
        let Ok(reading) = tcf::read(text, self.vendor) else {
            return permission.deny_all(Reason::TcfUndecodable);
        };
        if reading.version != 2 || reading.policy_version < TCF_2_2 || !reading.service_specific {
            return permission.deny_all(Reason::TcfInvalid);
        }
        let disclosed = match self.disclosed {
            DisclosedVendors::Required => reading.disclosed == Some(true),
            DisclosedVendors::ByVersion => reading.disclosed.unwrap_or(reading.policy_version < TCF_2_3),
            DisclosedVendors::Ignored => true,
        };
        if self.vendor == 0 || !disclosed {
            return permission.deny_all(Reason::TcfVendor);
        }
        self.keep(self.permitted(&reading), Reason::TcfRefused, permission);
    }

    /// The purposes that a valid TCF string permits the vendor.
    fn permitted(&self, reading: &tcf::Reading) -> u32 {
        let mut consented = if reading.vendor_consent { reading.consents } else { 0 };
        // Where the publisher's law did not ask for purpose 1, users were not asked: the string cannot say yes.
        if reading.purpose_one_treatment && reading.publisher_country == GERMANY {
            consented |= 1;
        }
        let of_interest = if reading.vendor_interest { reading.interests & self.interests } else { 0 };
        let by_consent = consented & !reading.require_interest;
        let by_interest = of_interest & !reading.require_consent;
        (by_consent | by_interest) & !reading.not_allowed
    }

    /// Denies what TCF Canada's section does not permit.
    fn read_canada(&self, text: &str, permission: &mut Permission) {
        let Ok(reading) = canada::read(text, self.vendor) else {
            return permission.deny_all(Reason::GppUndecodable);
        };
        let permitted = if self.vendor != 0 && reading.vendor_express { reading.express } else { 0 };
        self.keep(permitted & !reading.not_allowed, Reason::GppRefused, permission);
    }

    /// Denies the uses that need other purposes than these. A use that needs none could not be refused: it is denied.
    fn keep(&self, purposes: u32, reason: Reason, permission: &mut Permission) {
        for (one, needed) in Use::ALL.into_iter().zip(self.needs) {
            if needed == 0 || needed & !purposes != 0 {
                permission.deny(one, reason);
            }
        }
    }
}

/// Purposes 1 to 24 as a mask. Others exist in no string: bit 31 is never permitted.
fn mask(purposes: &[u8]) -> u32 {
    purposes
        .iter()
        .fold(0, |mask, &purpose| mask | if (1..=24).contains(&purpose) { 1 << (purpose - 1) } else { 1 << 31 })
}
