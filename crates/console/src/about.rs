//! What this program is made of, and where a person adds to it.

use crate::{
    Console,
    screen::{About, CatalogFolder, Failure},
};
use catalog::Catalog;

impl Console {
    /// What the catalog holds, and what of it comes from a person's own folder.
    ///
    /// # Errors
    /// When the catalog cannot be read, which names file and line.
    pub fn about(&self) -> Result<About, Failure> {
        let catalog = self.catalog()?;
        let built_in = Catalog::built_in()?;
        let mut folder = self.inner.options.catalog_folder.as_ref().map(|folder| CatalogFolder {
            path: folder.display().to_string(),
            added: Vec::new(),
            extended: Vec::new(),
        });
        if let Some(folder) = &mut folder {
            for tile in catalog.tiles() {
                if !tile.built_in {
                    folder.added.push(tile.name.clone());
                } else if built_in.tiles().iter().any(|before| before.slug == tile.slug && before.checks != tile.checks) {
                    folder.extended.push(tile.name.clone());
                }
            }
        }
        let place = crate::Options::settings_folder().map(|folder| folder.join(crate::options::CATALOG).display().to_string());
        Ok(About {
            applications: u32::try_from(catalog.tiles().len()).unwrap_or(u32::MAX),
            catalog_folder: folder,
            catalog_place: place.unwrap_or_default(),
            schema: store::SCHEMA,
        })
    }
}
