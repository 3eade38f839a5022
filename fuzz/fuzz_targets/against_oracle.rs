//! Under libFuzzer the target `against_oracle`; else a program that shows inputs in words and plays them.

#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _reached = fuzz::against_oracle::play(bytes);
});

#[cfg(not(fuzzing))]
fn main() -> std::io::Result<()> {
    fuzz::show(&fuzz::TARGETS[0])
}
