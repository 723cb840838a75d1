//! `--demo`: a simulated 1min.ai as the upstream, and a data folder that is gone with it, so that
//! trying the relay leaves nothing behind.

use std::path::PathBuf;
use std::time::Duration;

use simulator::{Options, Simulator};
use url::Url;

use crate::config::Settings;

/// Between two events of an answer: a stream that can be seen to be one.
const PACE: Duration = Duration::from_millis(30);

/// What the demonstration needs while it runs.
pub struct Demo {
    _simulator: Simulator,
    folder: Option<PathBuf>,
}

impl Demo {
    /// Starts the simulator, and settles that it is the upstream.
    ///
    /// # Errors
    /// Why it did not start.
    pub fn start(settings: &mut Settings) -> Result<Self, String> {
        let simulator = Simulator::start(Options {
            pace: PACE,
            ..Options::default()
        });
        let simulator = simulator.map_err(|e| e.to_string())?;
        let url = Url::parse(&simulator.url()).map_err(|e| e.to_string())?;
        settings.onemin_base_url = url.clone();
        settings.onemin_asset_url = url;
        let folder = settings.data_dir.is_none().then(|| {
            let name = format!("1min-relay-demo-{}", uuid::Uuid::new_v4().simple());
            std::env::temp_dir().join(name)
        });
        if folder.is_some() {
            settings.data_dir.clone_from(&folder);
        }
        Ok(Self {
            _simulator: simulator,
            folder,
        })
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            // It is only there if something was kept.
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}
