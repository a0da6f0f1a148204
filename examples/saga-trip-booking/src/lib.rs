//! Books a flight, a hotel and a car, and charges for them. When something fails, or the execution is cancelled or times out,
//! what was booked is taken back: the last thing first.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stepwell::prelude::*;

/// What is booked, for whom.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
struct Trip {
    traveller: String,
    /// A step that is to fail, to see what happens then.
    #[serde(default)]
    fail_at: Option<String>,
    /// A pause after each step, such as `"1h"`.
    #[serde(default)]
    pause: Option<String>,
    /// The one step to pause after; all, where none is named.
    #[serde(default)]
    pause_after: Option<String>,
}

/// What was booked.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Booked {
    flight: String,
    hotel: String,
    car: String,
    receipt: String,
}

/// Books a seat, and returns its number.
#[stepwell::step(timeout = "30s", retry(max_attempts = 3, never_for = ["sold-out"]))]
async fn book_flight(trip: Trip) -> Result<String, Failure> {
    book(&trip, "book_flight", "flight")
}

/// Books a room, and returns its number.
#[stepwell::step(timeout = "30s", retry(max_attempts = 3, never_for = ["sold-out"]))]
async fn book_hotel(trip: Trip) -> Result<String, Failure> {
    book(&trip, "book_hotel", "hotel")
}

/// Books a car under the traveller's name, and returns its number.
#[stepwell::step(timeout = "30s", retry(max_attempts = 3, never_for = ["sold-out"]))]
async fn book_car(trip: Trip) -> Result<String, Failure> {
    book(&trip, "book_car", "car")
}

/// Charges the card, and returns the receipt.
#[stepwell::step(timeout = "30s", retry(max_attempts = 3, never_for = ["sold-out"]))]
async fn charge(trip: Trip) -> Result<String, Failure> {
    book(&trip, "charge", "charge")
}

/// Gives the seat back.
#[stepwell::step(retry(max_attempts = 20))]
async fn cancel_flight(flight: String) -> Result<(), Failure> {
    take_back("flight", &flight);
    Ok(())
}

/// Gives the room back.
#[stepwell::step(retry(max_attempts = 20))]
async fn cancel_hotel(hotel: String) -> Result<(), Failure> {
    take_back("hotel", &hotel);
    Ok(())
}

/// Gives the car back, if one was booked under that name.
#[stepwell::step(retry(max_attempts = 20))]
async fn cancel_car(traveller: String) -> Result<(), Failure> {
    take_back("car", &traveller);
    Ok(())
}

/// Gives the money back, if any was taken from that traveller.
#[stepwell::step(retry(max_attempts = 20))]
async fn refund(traveller: String) -> Result<(), Failure> {
    take_back("charge", &traveller);
    Ok(())
}

fn book(trip: &Trip, step: &str, what: &str) -> Result<String, Failure> {
    if trip.fail_at.as_deref() == Some(step) {
        bail!("sold-out", "there is no {what} for {}", trip.traveller);
    }
    // Counted with the result of the step: an attempt that is lost counts nothing.
    stepwell::context::counter(what).add(1);
    Ok(format!("{what}-of-{}", trip.traveller))
}

fn take_back(what: &str, which: &str) {
    stepwell::log::warn!("took back {which}");
    stepwell::context::counter(&format!("{what}-back")).add(1);
}

/// Books a trip, all of it or nothing.
#[stepwell::workflow]
async fn book_trip(trip: Trip) -> Result<Booked, Failure> {
    saga(async |saga| {
        // The number is needed to give it back: registered when it is known.
        let flight = book_flight(&trip).await?;
        saga.undo(cancel_flight(&flight));
        pause_after("book_flight", &trip).await?;

        let hotel = book_hotel(&trip).await?;
        saga.undo(cancel_hotel(&hotel));
        pause_after("book_hotel", &trip).await?;

        // The name is enough to give it back: registered before, for a step that was stopped may have booked all the same.
        saga.undo(cancel_car(&trip.traveller));
        let car = book_car(&trip).await?;
        pause_after("book_car", &trip).await?;

        saga.undo(refund(&trip.traveller));
        let receipt = charge(&trip).await?;
        pause_after("charge", &trip).await?;

        Ok(Booked { flight, hotel, car, receipt })
    })
    .await
}

async fn pause_after(step: &str, trip: &Trip) -> Result<(), Failure> {
    let is_here = trip.pause_after.as_deref().is_none_or(|only| only == step);
    match &trip.pause {
        Some(time) if is_here => sleep(time).await,
        Some(_) | None => Ok(()),
    }
}

stepwell::module!(
    workflows: [book_trip],
    steps: [book_flight, book_hotel, book_car, charge, cancel_flight, cancel_hotel, cancel_car, refund],
);
