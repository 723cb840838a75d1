//! Where an answer ends early: the client's stop strings and its limit of tokens.
