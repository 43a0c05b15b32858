use serde_json::Value;
pub fn lookup<'a>(value: &'a Value, path: &str) -> Option<&'a Value> { let _ = (value, path); unimplemented!() }
pub fn lookup_all<'a>(value: &'a Value, path: &str) -> Vec<&'a Value> { let _ = (value, path); unimplemented!() }
