//! What Hefu asks over HTTP: the files of a site, the cosignatures of witnesses, the records of a ledger's service.
//!
//! Nothing that comes over the wire is believed: sites are checked by whoever reads them, cosignatures here. Requests
//! have a time and answers a size; redirects are not followed, since an address is part of what was configured. Also
//! here is the watch over a site from run to run. Not here: rules, files of a ledger, screens.

mod cosign;
mod http;
mod monitor;
mod service;
mod site;
mod standing;
mod witness;

pub use cosign::{Collected, FailMode, History, Outcome, Shortfall, collect};
pub use http::{Answer, Http, HttpError};
pub use monitor::{Alarm, AlarmKind, Memory, Unwatchable, Watched, watch};
pub use service::{
    Answered, BATCH_BYTES, Denial, LedgerService, OnRecord, ServiceFailure, TOGETHER_BYTES, Together, fitting,
};
pub use site::Site;
pub use standing::{Standing, standings};
pub use witness::{Asked, LogKey, WitnessAt};
