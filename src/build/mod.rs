//! The fold: sources -> columns (index), columns and rules -> bitmaps, forward index and flips (activate), then a new generation.
