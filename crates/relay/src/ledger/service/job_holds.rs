//! What jobs hold, which outlives their requests and the process.

use super::Ledger;
use crate::ledger::booking::{Booking, OpenRows, Repeats};
use crate::ledger::hold_rows::find_hold;
use crate::ledger::queue::Message;
use crate::ledger::row::{CostSource, HoldRow, LedgerRow, SettledHold};
use crate::store::StoreError;
use crate::store::database::Param;

impl Ledger {
    /// Notes that another account pays for a job, before it is submitted there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn move_job(&self, id: &str, account: &str) -> Result<(), StoreError> {
        if !self.is_on() {
            return Ok(());
        }
        // The hold itself may still wait to be written.
        self.written().await;
        let sql = "UPDATE holds SET account = $2 WHERE id = $1".to_owned();
        let params: Vec<Param> = vec![id.into(), account.into()];
        self.0.database.execute(sql, params).await.map(drop)
    }

    /// Settles what [`crate::ledger::Hold::leave_to_job`] has left, once: tells whether it was
    /// still held. `credits` are thousandths; none if the cost is not known. `outcome` is as in the
    /// ledger's rows.
    ///
    /// # Errors
    /// [`StoreError`]; it is still held.
    pub async fn settle_job(
        &self,
        id: &str,
        credits: Option<i64>,
        outcome: &str,
    ) -> Result<bool, StoreError> {
        let inner = &self.0;
        if !self.is_on() {
            return Ok(false);
        }
        // The hold itself may still wait to be written.
        self.written().await;
        let (id, outcome) = (id.to_owned(), outcome.to_owned());
        let (calendar, scopes) = (inner.calendar.clone(), inner.settings.scopes);
        let settling = inner.database.transaction(move |transaction| {
            Box::pin(async move {
                let Some(hold) = find_hold(transaction, &id).await? else {
                    return Ok(None);
                };
                let row = settled_job(hold.clone(), credits, outcome);
                let cost = row.credits;
                let (open, repeats) = (OpenRows::default(), Repeats::Possible);
                let mut booking = Booking::new(transaction, calendar, scopes, open, repeats);
                booking.book(&[Message::Row(Box::new(row))]).await?;
                booking.finish().await?;
                Ok(Some((hold, cost)))
            })
        });
        let Some((hold, cost)) = settling.await? else {
            return Ok(false);
        };
        let in_memory = if hold.counted { 0 } else { hold.credits };
        let scopes = inner.settings.scopes.of(&hold.key_id);
        let periods = inner.calendar.at(hold.at);
        self.counters().settle(&periods, scopes, in_memory, cost);
        Ok(true)
    }
}

/// The row of a job that is over.
fn settled_job(hold: HoldRow, credits: Option<i64>, outcome: String) -> LedgerRow {
    let (cost, source) = match credits {
        None => (hold.credits, CostSource::Estimated),
        Some(0) => (0, CostSource::None),
        Some(credits) => (credits, CostSource::Reported),
    };
    LedgerRow {
        at: hold.at,
        key_id: hold.key_id,
        account: hold.account,
        api: hold.api,
        model: hold.model,
        outcome,
        credits: cost,
        source,
        calls: 1,
        settles: vec![SettledHold {
            id: hold.id.clone(),
            credits: hold.credits,
            counted: hold.counted,
        }],
        id: hold.id,
        ..LedgerRow::default()
    }
}
