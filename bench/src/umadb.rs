//! UmaDB over its own client.

use std::sync::Arc;

use anyhow::Result;
use umadb_client::UmaDbClient;
use umadb_dcb::{DcbEvent, DcbEventStoreAsync as _};

use crate::{Load, all};

/// One connection a writer; an event holds the bytes of a command and nothing to look it up by.
pub(crate) async fn write(url: &str, load: Arc<Load>) -> Result<f64> {
    let mut writers = Vec::new();
    for _ in 0..load.len() {
        writers.push(Arc::new(UmaDbClient::new(url.to_owned()).connect_async().await?));
    }
    all(load, writers, |writer, data| async move {
        let event = DcbEvent { event_type: "command".to_owned(), data, ..DcbEvent::default() };
        writer.append(vec![event], None, None).await?;
        Ok(())
    })
    .await
}
