//! Mistakes are compile errors at the place of the mistake. What the bounds of a policy refuse is shown in the
//! documentation of `cutout::breaker`.

#[test]
fn mistakes_are_told_where_they_are() {
    trybuild::TestCases::new().compile_fail("tests/refused/*.rs");
}
