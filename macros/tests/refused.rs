//! Mistakes are compile errors at the location of the mistake. The documentation of
//! `cutout::breaker` shows values that the bounds of a policy refuse.

#[test]
fn mistakes_are_reported_where_they_are() {
    trybuild::TestCases::new().compile_fail("tests/refused/*.rs");
}
