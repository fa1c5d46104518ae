pub enum UncheckedAdvice {
    DontNeed,
    Free,
}
