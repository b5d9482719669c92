//! The planner's and operator's port: metrics today.
