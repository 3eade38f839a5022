//! The libFuzzer target `word`, or without libFuzzer a program that describes and plays inputs.

#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _reached = fuzz::word::play(bytes);
});

#[cfg(not(fuzzing))]
fn main() -> std::io::Result<()> {
    fuzz::show(&fuzz::TARGETS[2])
}
