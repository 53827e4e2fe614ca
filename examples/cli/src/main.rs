//! The `faceprint` command: find, compare and recognise faces in pictures.

mod args;
mod commands;
mod context;
mod draw;
mod drawing;
mod eval;
mod event;
mod faces;
mod failure;
mod frames;
mod gallery;
mod known;
mod models;
mod npy;
mod output;
mod people;
mod samples;
mod secret;
mod session;
mod table;
mod time;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Cli, Command, EvalCommand};
use crate::commands::Answer;
use crate::context::Context;
use crate::failure::Failure;

fn main() -> ExitCode {
    let Cli { common, engine, command } = Cli::parse();
    let context = Context { json: common.json, models: common.models, catalog: common.catalog };
    let answer = match &command {
        Command::Detect(args) => commands::detect::run(args, &engine, &context),
        Command::Compare(args) => commands::compare::run(args, &engine, &context),
        Command::Identify(args) => commands::identify::run(args, &engine, &context),
        Command::Embed(args) => commands::embed::run(args, &engine, &context),
        Command::Enroll(args) => commands::enroll::run(args, &engine, &context),
        Command::List(args) => commands::list::run(args, &context),
        Command::Erase(args) => commands::erase::run(args, &context),
        Command::Gallery(args) => commands::gallery::run(&args.command, &engine, &context),
        Command::Watch(args) => commands::watch::run(args, &engine, &context),
        Command::Outbox(args) => commands::outbox::run(&args.command, &context),
        Command::Eval(EvalCommand::Lfw(args)) => commands::lfw::run(args, &engine, &context),
        Command::Eval(EvalCommand::Identification(args)) => {
            commands::identification::run(args, &engine, &context)
        }
        Command::Quality(args) => commands::quality::run(args, &engine, &context),
        Command::Eval(EvalCommand::Quality(args)) => {
            commands::eval_quality::run(args, &engine, &context)
        }
        Command::Eval(EvalCommand::Liveness(args)) => {
            commands::eval_liveness::run(args, &engine, &context)
        }
        Command::Models(args) => models::run(args, &context),
        Command::Runtime => commands::runtime::run(&engine, &context),
    };
    exit_code(answer, &context)
}

/// 0 yes, 1 no, 2 an error; `Cli` documents it.
fn exit_code(answer: Result<Answer, Failure>, context: &Context) -> ExitCode {
    match answer {
        Ok(Answer::Yes) => ExitCode::SUCCESS,
        Ok(Answer::No) => ExitCode::from(1),
        Err(failure) => {
            output::failure(&failure, context.json);
            ExitCode::from(2)
        }
    }
}
