//! What a store counts of its own work.

use meter::{Counter, Histogram, Scale, Stopwatch, Table, label};

use crate::{AppendCause, AppendError, BlobError};

label! {
    /// What is asked of a store.
    pub enum Operation as "operation" {
        /// Content is begun.
        Create "create",
        /// Content is gone on with.
        Resume "resume",
        /// A body is put behind what there is: as long as the client takes, and so without a time.
        Append "append",
        /// Content is made durable.
        Finish "finish",
        /// A reading begins.
        Read "read",
        /// Content is read again for another digest.
        Digest "digest",
        /// Content is freed.
        Delete "delete",
        /// The size is asked for.
        Size "size",
        /// A page of what there is.
        List "list",
        /// Whether it can be written.
        Ping "ping",
    }
}

label! {
    /// What went wrong.
    pub enum Fault as "error" {
        /// Nothing is there.
        Missing "missing",
        /// Something is there.
        Exists "exists",
        /// Another request writes there.
        Busy "busy",
        /// There is no room.
        Full "full",
        /// It is not what the database says.
        Damaged "damaged",
        /// The storage does not answer as it should.
        Unavailable "unavailable",
    }
}

label! {
    /// The methods of an object storage's requests.
    pub enum Method as "method" {
        /// GET.
        Get "GET",
        /// HEAD.
        Head "HEAD",
        /// PUT.
        Put "PUT",
        /// POST.
        Post "POST",
        /// DELETE.
        Delete "DELETE",
        /// Another.
        Other "other",
    }
}

label! {
    /// How an object storage answered.
    pub enum Status as "status" {
        /// Done.
        Success "2xx",
        /// Elsewhere.
        Redirect "3xx",
        /// Refused.
        Refused "4xx",
        /// Failed.
        Failed "5xx",
        /// Not at all.
        None "none",
    }
}

/// The counters of one store. Clones count into the same.
#[derive(Clone, Debug)]
pub struct Meters {
    /// How long each operation takes until it is done, or a reading has begun.
    pub operations: Table<(Operation,), Histogram>,
    /// What they have failed with.
    pub faults: Table<(Operation, Fault), Counter>,
    /// Bytes of content that were taken in.
    pub written: Counter,
    /// Bytes of content that readings were asked for.
    pub read: Counter,
    /// Requests to object storage, each try of its own.
    pub requests: Table<(Method, Status), Counter>,
    /// How long they take until their answer begins.
    pub answers: Table<(Method,), Histogram>,
}

impl Default for Meters {
    fn default() -> Self {
        Self {
            operations: Table::of(|| Histogram::new(Scale::SHORT_SECONDS)),
            faults: Table::default(),
            written: Counter::default(),
            read: Counter::default(),
            requests: Table::default(),
            answers: Table::of(|| Histogram::new(Scale::SHORT_SECONDS)),
        }
    }
}

impl Meters {
    /// Counts how an operation ends, and how long it takes.
    pub(crate) async fn timed<T>(&self, operation: Operation, work: impl Future<Output = Result<T, BlobError>>) -> Result<T, BlobError> {
        let watch = Stopwatch::start();
        let done = work.await;
        self.operations.took((operation,), watch.elapsed());
        done.inspect_err(|error| self.faults.count((operation, Fault::of(error))))
    }

    /// Counts what an append has taken in beyond `before`.
    pub(crate) fn appended<E>(
        &self,
        before: u64,
        done: Result<crate::UploadState, AppendError<E>>,
    ) -> Result<crate::UploadState, AppendError<E>> {
        if let Err(AppendError { cause: AppendCause::Store(error), .. }) = &done {
            self.faults.count((Operation::Append, Fault::of(error)));
        }
        let state = done.as_ref().unwrap_or_else(|stopped| &stopped.state);
        self.written.inc_by(state.offset().saturating_sub(before));
        done
    }

    /// Counts a request to object storage and its answer.
    pub(crate) fn answered(&self, method: &http::Method, status: Option<http::StatusCode>, watch: Stopwatch) {
        let method = Method::of(method);
        self.requests.count((method, Status::of(status)));
        self.answers.took((method,), watch.elapsed());
    }
}

impl Fault {
    const fn of(error: &BlobError) -> Self {
        match error {
            BlobError::Missing => Self::Missing,
            BlobError::Exists => Self::Exists,
            BlobError::Busy => Self::Busy,
            BlobError::Full => Self::Full,
            BlobError::Damaged => Self::Damaged,
            BlobError::Unavailable(_) => Self::Unavailable,
        }
    }
}

impl Method {
    const fn of(method: &http::Method) -> Self {
        match *method {
            http::Method::GET => Self::Get,
            http::Method::HEAD => Self::Head,
            http::Method::PUT => Self::Put,
            http::Method::POST => Self::Post,
            http::Method::DELETE => Self::Delete,
            _ => Self::Other,
        }
    }
}

impl Status {
    fn of(status: Option<http::StatusCode>) -> Self {
        match status.map(|status| status.as_u16()) {
            None => Self::None,
            Some(..300) => Self::Success,
            Some(300..400) => Self::Redirect,
            Some(400..500) => Self::Refused,
            Some(500..) => Self::Failed,
        }
    }
}
