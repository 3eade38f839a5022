//! Runs each model as a test. `--nocapture` shows what the models did.

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
