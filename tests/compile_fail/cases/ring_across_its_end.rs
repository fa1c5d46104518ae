//! What a ring shows does not outlive its end, nor a step of it.

fn main() {
    let (mut producer, mut consumer) = unix_memory::ring::pair(100).unwrap();
    let slot = producer.slot();
    drop(producer);
    slot[0] = 1;
    let available = consumer.available();
    consumer.consume(1).unwrap();
    println!("{available:?}");
    let available = consumer.available();
    drop(consumer);
    println!("{available:?}");
}
