//! `wasi:http`: how a request leaves the sandbox.

use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, Method,
    OutgoingBody, OutgoingRequest, RequestOptions, Scheme, http_error_code,
};
use wasip2::io::streams::StreamError;

use super::address::Address;
use super::{FAILED, INVALID_REQUEST, LIMIT_EXCEEDED, NOT_GRANTED, Request, Response};
use crate::Failure;

/// How much of a body is read at once.
const PIECE_BYTES: u64 = 64 << 10;

/// Sends a request and reads its response to the end.
pub(super) fn send(request: &Request, to: &Address) -> Result<Response, Failure> {
    let asked = format!("{} {}", request.method, request.url);
    let invalid =
        |what: &str| Failure::new(INVALID_REQUEST, format!("{asked} makes no sense: {what}"));
    let outgoing = OutgoingRequest::new(fields(request).map_err(|what| invalid(&what))?);
    let scheme = if to.is_https { Scheme::Https } else { Scheme::Http };
    outgoing.set_method(&method(&request.method)).map_err(|()| invalid("its method"))?;
    outgoing.set_scheme(Some(&scheme)).map_err(|()| invalid("its scheme"))?;
    outgoing.set_authority(Some(&to.authority)).map_err(|()| invalid("its host"))?;
    outgoing.set_path_with_query(Some(&to.path)).map_err(|()| invalid("its path"))?;
    let options = RequestOptions::new();
    if let Some(timeout) = request.timeout {
        let nanos = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
        options.set_first_byte_timeout(Some(nanos)).map_err(|()| invalid("its timeout"))?;
    }
    let body = outgoing.body().map_err(|()| invalid("its body"))?;
    let failed = |error: ErrorCode| failure(&asked, error);
    let future = outgoing_handler::handle(outgoing, Some(options)).map_err(failed)?;
    let written = write(body, &request.body);
    // Where the host refuses the request it closes the body: the reason is in the answer.
    let response = wait(&future).map_err(failed)?;
    written.map_err(|what| Failure::new(FAILED, format!("{asked}: {what}")))?;
    let (status, headers) = (response.status(), response.headers().entries());
    let body = read(&response).map_err(failed)?;
    Ok(Response { asked, status, headers, body })
}

fn fields(request: &Request) -> Result<Fields, String> {
    let fields = Fields::new();
    for (name, value) in &request.headers {
        fields.append(name, value).map_err(|error| format!("its header {name}: {error}"))?;
    }
    let has_length =
        request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let has_body = !request.body.is_empty() || ["POST", "PUT", "PATCH"].contains(&&*request.method);
    if has_body && !has_length {
        let length = request.body.len().to_string();
        fields.append("content-length", length.as_bytes()).map_err(|error| error.to_string())?;
    }
    Ok(fields)
}

fn method(method: &str) -> Method {
    match method {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "OPTIONS" => Method::Options,
        "PATCH" => Method::Patch,
        other => Method::Other(other.to_owned()),
    }
}

fn write(body: OutgoingBody, bytes: &[u8]) -> Result<(), String> {
    let stream = body.write().map_err(|()| "its body was taken".to_owned())?;
    let closed = |error: StreamError| format!("its body was not taken: {error}");
    let mut rest = bytes;
    while !rest.is_empty() {
        stream.subscribe().block();
        let room = usize::try_from(stream.check_write().map_err(closed)?).unwrap_or(usize::MAX);
        let (piece, later) = rest.split_at(room.min(rest.len()));
        stream.write(piece).map_err(closed)?;
        rest = later;
    }
    drop(stream);
    OutgoingBody::finish(body, None).map_err(|error| format!("its body was not taken: {error:?}"))
}

fn wait(future: &FutureIncomingResponse) -> Result<IncomingResponse, ErrorCode> {
    loop {
        match future.get() {
            Some(Ok(answer)) => return answer,
            // It is taken once, right here.
            Some(Err(())) => return Err(ErrorCode::InternalError(None)),
            None => future.subscribe().block(),
        }
    }
}

fn read(response: &IncomingResponse) -> Result<Vec<u8>, ErrorCode> {
    let taken = |()| ErrorCode::InternalError(None);
    let body: IncomingBody = response.consume().map_err(taken)?;
    let stream = body.stream().map_err(taken)?;
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(PIECE_BYTES) {
            Ok(piece) => bytes.extend_from_slice(&piece),
            Err(StreamError::Closed) => return Ok(bytes),
            Err(StreamError::LastOperationFailed(error)) => return Err(broken_off(&error)),
        }
    }
}

/// Why a body broke off. Not every host has a code for it, but each has a text.
fn broken_off(error: &wasip2::io::error::Error) -> ErrorCode {
    let told = || {
        let text = error.to_debug_string();
        let line = text.lines().next().unwrap_or_default();
        ErrorCode::InternalError(Some(line.trim_start_matches("internal error: ").to_owned()))
    };
    http_error_code(error).unwrap_or_else(told)
}

/// What the host says in a text begins with its kind.
fn failure(asked: &str, error: ErrorCode) -> Failure {
    if let ErrorCode::InternalError(Some(text)) = &error
        && let Some((kind, rest)) = text.split_once(": ")
        && let Some(kind) =
            [NOT_GRANTED, LIMIT_EXCEEDED, INVALID_REQUEST].iter().find(|known| **known == kind)
    {
        return Failure::new(*kind, format!("{asked}: {rest}"));
    }
    Failure::new(FAILED, format!("{asked} failed: {error:?}"))
}
