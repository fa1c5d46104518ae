//! What unmaps, unlocks, restores or gives back when it is dropped is not copied.

use unix_memory::code::{Code, CodeBuffer};
use unix_memory::foreign::ProtectionGuard;
use unix_memory::reserve::Reservation;
use unix_memory::ring::{Consumer, Producer, SharedConsumer, SharedProducer};
use unix_memory::secret::{Secret, SecretMut, SecretRef};
use unix_memory::{
    FileBytes, Guarded, Keyed, LockGuard, Locked, Mapping, NamedMemory, Permanent, ProcessLock,
    ProtectionKey, ReadWrite, SealedMemory, SharedMapping, Stack, Tracked,
};

fn copy<T: Clone>() {}

fn main() {
    copy::<Mapping<ReadWrite>>();
    copy::<SharedMapping<ReadWrite>>();
    copy::<Locked<ReadWrite>>();
    copy::<Guarded<ReadWrite>>();
    copy::<Permanent<ReadWrite>>();
    copy::<Keyed<'static, ReadWrite>>();
    copy::<Tracked<Mapping<ReadWrite>>>();
    copy::<LockGuard<'static>>();
    copy::<ProcessLock>();
    copy::<ProtectionKey>();
    copy::<ProtectionGuard>();
    copy::<FileBytes>();
    copy::<NamedMemory>();
    copy::<SealedMemory>();
    copy::<Stack>();
    copy::<Reservation>();
    copy::<Code>();
    copy::<CodeBuffer>();
    copy::<Producer>();
    copy::<Consumer>();
    copy::<SharedProducer>();
    copy::<SharedConsumer>();
    copy::<Secret>();
    copy::<SecretRef<'static>>();
    copy::<SecretMut<'static>>();
}
