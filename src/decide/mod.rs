//! A lookup's outcome and the campaigns -> target, suppress or unknown, with a reason code. Pure.
