//! The bytes of a tracked mapping, as its guard gives them.

use core::ops::{Deref, DerefMut, RangeBounds};

use super::tracked::Tracked;
use crate::error::{Call, Result};
use crate::mapping::Mapping;
use crate::page::check_range;
use crate::protection::{Access, Readable, Writable};
use crate::shared::SharedMapping;

impl<A: Writable> Tracked<Mapping<A>> {
    /// Sets the bytes of `range` to zero, and gives the memory behind them back to the system, as
    /// [`Mapping::discard`] does. The range counts as written.
    ///
    /// [`Tracking::SoftDirty`](crate::Tracking::SoftDirty) remembers up to 8 separate ranges that were
    /// discarded. If there are more, what lies between two of them counts as written too.
    ///
    /// # Errors
    /// Those of [`Mapping::discard`].
    ///
    /// ```
    /// use unix_memory::{Mapping, page_size};
    ///
    /// let page = page_size();
    /// let Ok(mut tracked) = Mapping::anonymous(4 * page)?.into_tracked() else { return Ok(()) };
    /// tracked.discard(page..3 * page)?;
    /// assert_eq!(tracked.take().next().transpose()?, Some(page..3 * page));
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "MADV_DONTNEED")]
    pub fn discard(&mut self, range: impl RangeBounds<usize>) -> Result<()> {
        let bounds = (range.start_bound().cloned(), range.end_bound().cloned());
        // If this fails, nothing was discarded.
        self.mapping.discard(bounds)?;
        let region = self.mapping.region();
        let range = check_range(Call::Discard, &bounds, region.len())?;
        self.tracker.note_discarded(region.pages_of(&range));
        Ok(())
    }
}

impl<A: Readable> Deref for Tracked<Mapping<A>> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.mapping
    }
}

impl<A: Writable> DerefMut for Tracked<Mapping<A>> {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.mapping
    }
}

impl<A: Readable> AsRef<[u8]> for Tracked<Mapping<A>> {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl<A: Writable> AsMut<[u8]> for Tracked<Mapping<A>> {
    fn as_mut(&mut self) -> &mut [u8] {
        self
    }
}

impl<A: Access> Deref for Tracked<SharedMapping<A>> {
    type Target = SharedMapping<A>;

    fn deref(&self) -> &SharedMapping<A> {
        &self.mapping
    }
}
