//! Between builds: takes what came by the doors into the log, acknowledges it, and applies it to what is in service, so that
//! the next bid request sees it. One writer; readers never wait for it.
//!
//! What must not live here: protocols (see `planner`), the bid path's reading (see `overlay`), building.
