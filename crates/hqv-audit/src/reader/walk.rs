//! Goes through the record once, oldest first, over all its files: what is made of it is not held.

use std::ops::ControlFlow;

use crate::{AuditError, backward::whole_lines, chain::Chain, view::RecordView};

use super::{
    Reader,
    decode::{Decoded, Decoder, Opener},
    for_lines,
};

impl Reader<'_> {
    /// Shows every record on line `seq` and after, until `visit` breaks. Returns the lines that should have been
    /// records and do not open.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn walk(
        &self,
        seq: u64,
        visit: &mut dyn FnMut(RecordView) -> ControlFlow<()>,
    ) -> Result<Vec<u64>, AuditError> {
        let mut damaged = Vec::new();
        let (mut on, mut place) = (true, true);
        for path in self.files.iter().skip(self.first_file(seq)?) {
            let Some(file) = path.open()? else { continue };
            let end = whole_lines(&file, file.metadata()?.len())?;
            // Every later file begins with a header, which says where the chain stands.
            let (offset, mut decoder) = match std::mem::take(&mut place) {
                true => self.place(&file, end, seq)?,
                false => (0, Decoder::new(Opener::none(), Chain { seq: 0, head: [0; 32] })),
            };
            for_lines(&file, offset, end, |line| {
                match decoder.line(self.id, line) {
                    Decoded::Record(view) if view.sequence >= seq => on = visit(*view).is_continue(),
                    Decoded::Damaged(bad) if bad >= seq => damaged.push(bad),
                    _ => {}
                }
                on
            })?;
            if !on {
                break;
            }
        }
        Ok(damaged)
    }
}
