//! `hefu token`: who may ask over the wire, in which role, for which region, until when.

use clap::Subcommand;
use hefu_api::access::Role;
use hefu_domain::time::Timestamp;
use hefu_engine::{random_bytes, system_clock};
use hefu_server::{Grant, Token, TokenError, Tokens, service_folder};
use serde_json::json;

use crate::{
    context::Context,
    error::{CliError, Result, exit},
    find,
    lang::text,
    render::{self, Cell, Column, Page, Table, plain},
};

/// `hefu token`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a token and show it, this once
    Create(Create),
    /// All tokens, without their secrets
    List,
    /// Revoke a token; a running server refuses it from then on
    Revoke(Revoke),
}

#[derive(Debug, clap::Args)]
struct Create {
    /// Whom it is for
    name: String,
    /// What its holder may see: region, statistics, treasury, coordinator, auditor or admin
    #[arg(long)]
    role: Role,
    /// The region it is for: code or name; region, treasury and coordinator need one
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// How long it serves
    #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3660))]
    days: u32,
}

#[derive(Debug, clap::Args)]
struct Revoke {
    /// Id of the token
    id: String,
}

/// Runs it.
pub(crate) fn run(context: &Context, args: Args) -> Result<u8> {
    context.exists()?;
    let tokens = Tokens::of(&service_folder(context.dir()?));
    let now = system_clock();
    match args.what {
        What::Create(args) => {
            let reader = context.reader()?;
            let region =
                args.region.as_deref().map(|name| find::region(&reader.views.state, name)).transpose()?;
            let lifetime = i64::from(args.days) * 24 * 3600;
            let grant = Grant {
                name: args.name,
                role: args.role,
                region: region.map(hefu_domain::region::Region::code),
                expires: now.plus_seconds(lifetime),
            };
            let (secret, token) = tokens.create(grant, random_bytes()?, now)?;
            let mut table = table();
            table.columns.insert(0, Column::text("token", "令牌", "token"));
            let mut cells = row(&token, now);
            cells.insert(0, plain(secret.clone()));
            table.rows.push(cells);
            let json = json!({"token": secret, "id": token.id, "expires": token.expires.to_string()});
            let note = text("令牌只显示这一次", "the token is shown only this once");
            render::print(
                context,
                &Page { tables: vec![table], data: None, notes: vec![note], json: json.into() },
            )?;
        }
        What::List => show(context, &tokens.list()?, now)?,
        What::Revoke(args) => show(context, &[tokens.revoke(&args.id, now)?], now)?,
    }
    Ok(exit::DONE)
}

fn show(context: &Context, tokens: &[Token], now: Timestamp) -> Result {
    let mut table = table();
    table.rows = tokens.iter().map(|token| row(token, now)).collect();
    let json = render::Json::List(table.objects());
    render::print(context, &Page { tables: vec![table], data: None, notes: Vec::new(), json })
}

fn table() -> Table {
    Table::new(vec![
        Column::text("id", "编号", "id"),
        Column::text("name", "持有人", "for"),
        Column::text("role", "角色", "role"),
        Column::text("region", "地区", "region"),
        Column::text("created", "创建", "created"),
        Column::text("expires", "到期", "expires"),
        Column::text("status", "状态", "status"),
    ])
}

fn row(token: &Token, now: Timestamp) -> Vec<Cell> {
    let status = match token.revoked {
        Some(_) => "revoked",
        None if token.expires <= now => "expired",
        None => "valid",
    };
    vec![
        plain(token.id.clone()),
        plain(token.name.clone()),
        plain(token.role.clone()),
        plain(token.region.map(|code| code.to_string())),
        plain(token.created.to_string()),
        plain(token.expires.to_string()),
        plain(status),
    ]
}

impl From<TokenError> for CliError {
    fn from(error: TokenError) -> CliError {
        let why = error.to_string();
        let (code, exit, zh, en) = match &error {
            TokenError::File { .. } => {
                ("io", exit::IO, "令牌文件无法访问", "the file of tokens cannot be accessed")
            }
            TokenError::BadFile { .. } => {
                ("bad_file", exit::IO, "令牌文件不可用", "the file of tokens cannot be used")
            }
            TokenError::Unknown(_) => {
                ("unknown_token", exit::REFUSED, "没有这个令牌", "there is no such token")
            }
            TokenError::NeedsRegion(_) => {
                ("usage", exit::USAGE, "该角色须指明地区", "the role needs a region")
            }
        };
        CliError::new(code, exit, text(zh, en)).why(text(why.clone(), why))
    }
}
