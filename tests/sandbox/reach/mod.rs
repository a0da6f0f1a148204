//! Steps that reach for the world: real guests, real servers, real folders, and what an operator granted.

mod directories;
mod egress;
mod limits;
mod secrets;
mod world;
