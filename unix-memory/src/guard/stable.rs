//! Guards that deref to the same bytes even when they are moved.

use stable_deref_trait::StableDeref;

use crate::lock::locked::Locked;
use crate::map::guarded::Guarded;
use crate::mapping::Mapping;
use crate::protection::Readable;

// SAFETY: the bytes are in pages, and not in the guard; a method that moves them takes it exclusively.
// [owned, borrowed]
unsafe impl<A: Readable> StableDeref for Mapping<A> {}
// SAFETY: as the mapping in it. [owned, borrowed]
unsafe impl<A: Readable> StableDeref for Locked<A> {}
// SAFETY: as the mapping in it. [owned, borrowed]
unsafe impl<A: Readable> StableDeref for Guarded<A> {}
