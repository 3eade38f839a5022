//! Each model is a test. What it did is shown with `--nocapture`.

macro_rules! tests {
    ($($group:ident { $($model:ident)* })*) => {
        $(mod $group {
            $(#[test]
            fn $model() {
                loom_tests::check(concat!(stringify!($group), "::", stringify!($model)));
            })*
        })*
    };
}

loom_tests::models!(tests);
