//! The commands: arguments -> one job -> an exit code.
