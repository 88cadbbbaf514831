//! PostgreSQL: a table in one order, each row with the hash of the one before.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use tokio_postgres::{Client, NoTls, Statement};

use crate::{Load, all};

/// An append is one call: the newest row is locked, the next one linked to it.
const TABLE: &str = "
    DROP TABLE IF EXISTS log, head;
    CREATE TABLE log (seq bigint PRIMARY KEY, hash bytea NOT NULL, data bytea NOT NULL);
    CREATE TABLE head (seq bigint NOT NULL, hash bytea NOT NULL);
    INSERT INTO head VALUES (0, '');
    CREATE OR REPLACE FUNCTION append(new bytea) RETURNS bigint LANGUAGE plpgsql AS $$
        DECLARE last head%ROWTYPE; link bytea;
        BEGIN
            SELECT * INTO last FROM head FOR UPDATE;
            link := sha256(last.hash || new);
            INSERT INTO log VALUES (last.seq + 1, link, new);
            UPDATE head SET seq = last.seq + 1, hash = link;
            RETURN last.seq + 1;
        END $$;";

async fn connect(at: &str) -> Result<Client> {
    let (client, connection) =
        tokio_postgres::connect(at, NoTls).await.context("connecting to PostgreSQL")?;
    tokio::spawn(connection);
    Ok(client)
}

pub(crate) async fn prepare(at: &str) -> Result<()> {
    Ok(connect(at).await?.batch_execute(TABLE).await?)
}

/// One connection a writer; commits are synchronous, which is the default.
pub(crate) async fn write(at: &str, load: Arc<Load>) -> Result<f64> {
    let mut writers: Vec<Arc<(Client, Statement)>> = Vec::new();
    for _ in 0..load.len() {
        let client = connect(at).await?;
        let append = client.prepare("SELECT append($1)").await?;
        writers.push(Arc::new((client, append)));
    }
    all(load, writers, |writer, data| async move {
        writer.0.query_one(&writer.1, &[&data]).await?;
        Ok(())
    })
    .await
}
