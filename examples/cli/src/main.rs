//! The `faceprint` command: find, compare and recognise faces in pictures.

mod args;
mod context;
mod draw;
mod eval;
mod failure;
mod npy;
mod output;
mod people;

fn main() {}
