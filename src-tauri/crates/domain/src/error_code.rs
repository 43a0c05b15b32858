//! The codes of `{error: {code, message, details}}`.

use crate::words;

words! {
    /// A stable code that a client may branch on. Add one only when a client does.
    ErrorCode, "error code" {
        InvalidJson => "INVALID_JSON",
        InvalidHost => "INVALID_HOST",
        Unauthorized => "UNAUTHORIZED",
        KeyExpired => "KEY_EXPIRED",
        Forbidden => "FORBIDDEN",
        HumanKeyRequired => "HUMAN_KEY_REQUIRED",
        OriginRefused => "ORIGIN_REFUSED",
        SourceNotAllowed => "SOURCE_NOT_ALLOWED",
        NotFound => "NOT_FOUND",
        UnknownSource => "UNKNOWN_SOURCE",
        MethodNotAllowed => "METHOD_NOT_ALLOWED",
        InvalidTransition => "INVALID_TRANSITION",
        IdempotencyConflict => "IDEMPOTENCY_CONFLICT",
        AgentInactive => "AGENT_INACTIVE",
        InvalidEndpointUrl => "INVALID_ENDPOINT_URL",
        BuiltinRestricted => "BUILTIN_RESTRICTED",
        PayloadTooLarge => "PAYLOAD_TOO_LARGE",
        UnsupportedMediaType => "UNSUPPORTED_MEDIA_TYPE",
        ValidationError => "VALIDATION_ERROR",
        InvalidPayload => "INVALID_PAYLOAD",
        PayloadTooDeep => "PAYLOAD_TOO_DEEP",
        RateLimited => "RATE_LIMITED",
        Busy => "BUSY",
        StorageFull => "STORAGE_FULL",
        Internal => "INTERNAL_ERROR",
    }
}

impl ErrorCode {
    /// The HTTP status that carries this code. `UNKNOWN_SOURCE` is 404 in a path; a body's is 422
    /// and is sent as a validation error by its route.
    pub const fn status(self) -> u16 {
        match self {
            Self::InvalidJson
            | Self::InvalidHost
            | Self::InvalidEndpointUrl
            | Self::BuiltinRestricted => 400,
            Self::Unauthorized | Self::KeyExpired => 401,
            Self::Forbidden
            | Self::HumanKeyRequired
            | Self::OriginRefused
            | Self::SourceNotAllowed => 403,
            Self::NotFound | Self::UnknownSource => 404,
            Self::MethodNotAllowed => 405,
            Self::InvalidTransition | Self::IdempotencyConflict => 409,
            Self::PayloadTooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::ValidationError
            | Self::InvalidPayload
            | Self::PayloadTooDeep
            | Self::AgentInactive => 422,
            Self::RateLimited => 429,
            Self::Busy | Self::StorageFull => 503,
            Self::Internal => 500,
        }
    }
}
