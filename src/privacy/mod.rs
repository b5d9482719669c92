//! A request's privacy signals -> a Permission. Until consent strings are decoded, any signal that could refuse refuses.
