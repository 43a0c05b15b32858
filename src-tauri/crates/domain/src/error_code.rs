//! The codes of `{error: {code, message, details}}`.

use crate::words;

words! {
    /// A stable code that a client may branch on. Add one only when a client does.
    ErrorCode, "error code" {
        InvalidJson => "INVALID_JSON",
        InvalidHost => "INVALID_HOST",
        Unauthorized => "UNAUTHORIZED",
        KeyExpired => "KEY_EXPIRED",
        InvalidSignature => "INVALID_SIGNATURE",
        Forbidden => "FORBIDDEN",
        HumanKeyRequired => "HUMAN_KEY_REQUIRED",
        OriginRefused => "ORIGIN_REFUSED",
        SourceNotAllowed => "SOURCE_NOT_ALLOWED",
        SystemExtractionRestricted => "SYSTEM_EXTRACTION_RESTRICTED",
        NotFound => "NOT_FOUND",
        UnknownSource => "UNKNOWN_SOURCE",
        MethodNotAllowed => "METHOD_NOT_ALLOWED",
        InvalidTransition => "INVALID_TRANSITION",
        IdempotencyConflict => "IDEMPOTENCY_CONFLICT",
        LastAdminKey => "LAST_ADMIN_KEY",
        DuplicateSource => "DUPLICATE_SOURCE",
        DuplicateRule => "DUPLICATE_RULE",
        DuplicateMapping => "DUPLICATE_MAPPING",
        DuplicateProvider => "DUPLICATE_PROVIDER",
        DuplicateExtraction => "DUPLICATE_EXTRACTION",
        DuplicateView => "DUPLICATE_VIEW",
        UndoExpired => "UNDO_EXPIRED",
        AgentInactive => "AGENT_INACTIVE",
        InvalidEndpointUrl => "INVALID_ENDPOINT_URL",
        BuiltinRestricted => "BUILTIN_RESTRICTED",
        SystemMappingReadonly => "SYSTEM_MAPPING_READONLY",
        ProviderNotFound => "PROVIDER_NOT_FOUND",
        UnsupportedFormat => "UNSUPPORTED_FORMAT",
        PayloadTooLarge => "PAYLOAD_TOO_LARGE",
        UnsupportedMediaType => "UNSUPPORTED_MEDIA_TYPE",
        ValidationError => "VALIDATION_ERROR",
        InvalidPayload => "INVALID_PAYLOAD",
        PayloadTooDeep => "PAYLOAD_TOO_DEEP",
        RateLimited => "RATE_LIMITED",
        Busy => "BUSY",
        StorageFull => "STORAGE_FULL",
        IngestPaused => "INGEST_PAUSED",
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
            Self::Unauthorized | Self::KeyExpired | Self::InvalidSignature => 401,
            Self::Forbidden
            | Self::HumanKeyRequired
            | Self::OriginRefused
            | Self::SourceNotAllowed
            | Self::SystemExtractionRestricted => 403,
            Self::NotFound | Self::UnknownSource => 404,
            Self::MethodNotAllowed => 405,
            Self::InvalidTransition
            | Self::IdempotencyConflict
            | Self::LastAdminKey
            | Self::DuplicateSource
            | Self::DuplicateRule
            | Self::DuplicateMapping
            | Self::DuplicateProvider
            | Self::DuplicateExtraction
            | Self::DuplicateView
            | Self::UndoExpired => 409,
            Self::PayloadTooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::ValidationError
            | Self::InvalidPayload
            | Self::PayloadTooDeep
            | Self::SystemMappingReadonly
            | Self::ProviderNotFound
            | Self::UnsupportedFormat
            | Self::AgentInactive => 422,
            Self::RateLimited => 429,
            Self::Busy | Self::StorageFull | Self::IngestPaused => 503,
            Self::Internal => 500,
        }
    }
}
