//! Model files that are whole, with a right CRC, and still must not be believed: whatever breaks a rule that the
//! arithmetic relies on is refused by name, and whatever breaks none runs without an overflow.

mod blank_states;
mod bound;
mod forgery;
mod header;
mod numbers;
mod readings;
mod sections;
