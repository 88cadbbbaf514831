//! The indicators for a statistics bureau's tools: `report indicators --format sdmx-csv`, and `report sdmx`, which serves
//! them to programs on this machine.

use std::sync::Arc;

use hefu_domain::region::RegionCode;
use hefu_engine::Reader;
use hefu_exchange::sdmx::{
    Flow, Format, Question, Refusal, Source, Viewer, When, answer,
    cube::Look,
    path::{Api, Data},
    time,
};
use hefu_server::{LedgerCube, LedgerFolder};

use super::{basis::Basis, indicators::Figures};
use crate::{
    cmd::audit::{Listening, serve},
    context::Context,
    error::{CliError, Result, exit},
    lang::text,
    render,
};

/// `hefu report sdmx`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Who looks: public, everything, or the code of a region
    #[arg(long, value_name = "VIEWER", default_value = "public", value_parser = viewer)]
    viewer: Viewer,
    #[command(flatten)]
    listening: Listening,
}

fn viewer(text: &str) -> std::result::Result<Viewer, String> {
    match text {
        "public" => Ok(Viewer::Public),
        "everything" => Ok(Viewer::Everything),
        code => code
            .parse::<RegionCode>()
            .map(Viewer::Region)
            .map_err(|_| "write public, everything or a region's code of six digits".to_owned()),
    }
}

/// Serves until it is told to stop.
pub(crate) fn run(context: &Context, args: &Args) -> Result<u8> {
    drop(context.reader()?);
    let source = Arc::new(LedgerFolder::new(context.dir()?.to_owned()));
    let viewer = args.viewer;
    let router = hefu_server::Router::new().nest("/sdmx", hefu_server::sdmx(source, move |_| viewer));
    serve(context, args.listening, router)
}

/// What a report was opened at.
struct Seen<'r>(&'r Reader);

impl Source for Seen<'_> {
    fn look(&self, _: &When, look: &mut Look<'_>) -> std::result::Result<(), Refusal> {
        look(&LedgerCube::of(&self.0.views))
    }

    fn history(&self, when: &When, look: &mut Look<'_>) -> std::result::Result<(), Refusal> {
        self.look(when, look)
    }
}

/// Prints a report as SDMX-CSV 2.0: the same bytes that a server answers with.
pub(super) fn print(figures: &Figures<'_>) -> Result {
    let (args, context) = (figures.args, figures.context);
    if time::frequency(args.period).is_none() {
        let message = text("SDMX 没有合并月份的写法", "SDMX has no name for combined months");
        return Err(CliError::usage(message).at("field", "period"));
    }
    let flow = if args.public { Flow::Territorial } else { Flow::Credit };
    let mut data = Data::all(Api::V2, flow);
    let state = figures.state();
    let list = |codes: Vec<String>| codes.join(",");
    let areas = figures.report.areas.iter().map(|area| format!("CN{}", state.code(*area))).collect();
    let indicators =
        figures.report.indicators.iter().map(|id| state.indicators[usize::from(id.0)].code.to_string());
    let bases = figures.bases().into_iter().map(|basis| code(basis).to_owned()).collect();
    for (id, wanted) in [
        ("REF_AREA", list(areas)),
        ("INDICATOR", list(indicators.collect())),
        ("COUNT_BASIS", list(bases)),
        ("TIME_PERIOD", args.period.to_string()),
    ] {
        data.filter.component(id, &wanted).map_err(refused)?;
    }
    let viewer = if args.public { Viewer::Public } else { Viewer::Everything };
    let question = Question::Data(data);
    let accept = Some(Format::Csv2.media_type());
    let message = answer(&question, &Seen(figures.reader), viewer, accept, None).map_err(refused)?;
    render::deliver(context, &message.body)?;
    say_rows(context, &message.body);
    Ok(())
}

/// Says how many rows went out, and the digest of the file.
fn say_rows(context: &Context, body: &[u8]) {
    // A row is a line; the first is the header, and nothing follows the last.
    let many = body.split(|byte| *byte == b'\n').count().saturating_sub(2);
    let digest = hefu_exchange::book::digest(body);
    context.say(&text(
        format!("{many} 行,sha256 {digest}(按 SDMX-CSV 计)"),
        format!("{many} rows, sha256 {digest} (as SDMX-CSV)"),
    ));
}

const fn code(basis: Basis) -> &'static str {
    match basis {
        Basis::Territorial => "T",
        Basis::Shared => "S",
        Basis::AsOrigin => "S_O",
        Basis::AsDestination => "S_D",
        Basis::Elimination => "X",
    }
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn refused(refusal: Refusal) -> CliError {
    let message = text(refusal.why_zh.clone(), refusal.why.clone());
    CliError::new(refusal.code.name(), exit::REFUSED, message).at("field", refusal.place.clone())
}
