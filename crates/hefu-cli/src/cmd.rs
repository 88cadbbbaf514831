//! One file per command.

pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod bench;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod demo;
pub(crate) mod dispute;
pub(crate) mod endorse;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod period;
pub(crate) mod policy;
pub(crate) mod project;
pub(crate) mod reconcile;
pub(crate) mod region;
pub(crate) mod report;
pub(crate) mod restore;
pub(crate) mod serve;
pub(crate) mod settle;
pub(crate) mod submit;
pub(crate) mod tick;
pub(crate) mod tier;
pub(crate) mod token;
pub(crate) mod transfer;
pub(crate) mod vintage;
