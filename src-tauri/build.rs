//! Compiles `tauri.conf.json` and the list of what the window may call into the program.

fn main() {
    let permissions =
        tauri_build::AppManifest::new().permissions_path_pattern("src-tauri/permissions/*.toml");
    let attributes = tauri_build::Attributes::new()
        .capabilities_path_pattern("src-tauri/capabilities/*.json")
        .app_manifest(permissions);
    println!("cargo:rerun-if-changed=src-tauri/capabilities");
    println!("cargo:rerun-if-changed=src-tauri/permissions");
    tauri_build::try_build(attributes).expect("tauri.conf.json and the capabilities are valid");
}
