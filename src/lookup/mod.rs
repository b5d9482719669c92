//! ProfileKeys -> profile -> audiences. Pure: it cannot fail, it returns an outcome. No I/O, no protocol, no allocation that a
//! reused buffer avoids.
