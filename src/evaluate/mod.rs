//! A rule over the snapshot's columns: for everybody (bitmaps, block by block) or for one profile (a bool and its facts).
//!
//! One evaluator, two modes, proved equal to each other and to a naive oracle.
