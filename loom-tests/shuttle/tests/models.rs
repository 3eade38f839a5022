//! Runs each model as a test. `--nocapture` shows what the models did.

use shuttle_tests::{models, tests};

models!(tests);
