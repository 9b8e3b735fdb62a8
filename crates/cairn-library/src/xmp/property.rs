//! Names of the properties that cairn reads and writes.

/// A namespace and the prefix that its specification prefers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Namespace {
    /// The prefix under which cairn writes it.
    pub prefix: &'static str,
    /// Its address, which is what counts.
    pub uri: &'static str,
}

/// A property that cairn reads or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Property {
    /// The namespace.
    pub namespace: Namespace,
    /// The name in it.
    pub name: &'static str,
}

macro_rules! namespaces {
    ($($constant:ident $prefix:literal $uri:literal;)*) => {
        impl Namespace {
            $(#[doc = concat!("`", $prefix, "`")] pub const $constant: Namespace = Namespace { prefix: $prefix, uri: $uri };)*
            /// All that cairn knows.
            pub const ALL: &[Namespace] = &[$(Namespace::$constant),*];
        }
    };
}

namespaces! {
    RDF "rdf" "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
    XML "xml" "http://www.w3.org/XML/1998/namespace";
    DC "dc" "http://purl.org/dc/elements/1.1/";
    DIGIKAM "digiKam" "http://www.digikam.org/ns/1.0/";
    LIGHTROOM "lr" "http://ns.adobe.com/lightroom/1.0/";
    MICROSOFT_PHOTO "MicrosoftPhoto" "http://ns.microsoft.com/photo/1.0/";
    MEDIAPRO "mediapro" "http://ns.iview-multimedia.com/mediapro/1.0/";
    ACDSEE "acdsee" "http://ns.acdsee.com/iptc/1.0/";
    IPTC_CORE "Iptc4xmpCore" "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/";
    IPTC_EXTENSION "Iptc4xmpExt" "http://iptc.org/std/Iptc4xmpExt/2008-02-29/";
    PHOTOSHOP "photoshop" "http://ns.adobe.com/photoshop/1.0/";
    EXIF "exif" "http://ns.adobe.com/exif/1.0/";
    XMP "xmp" "http://ns.adobe.com/xap/1.0/";
    XMP_MM "xmpMM" "http://ns.adobe.com/xap/1.0/mm/";
    XMP_NOTE "xmpNote" "http://ns.adobe.com/xmp/note/";
    CAIRN "cairn" "urn:cairn:marks:1.0/";
}

macro_rules! properties {
    ($($constant:ident $namespace:ident $name:literal;)*) => {
        impl Property {
            $(#[doc = concat!("`", $name, "`")] pub const $constant: Property =
                Property { namespace: Namespace::$namespace, name: $name };)*
            /// All that cairn knows.
            pub const ALL: &[Property] = &[$(Property::$constant),*];
        }
    };
}

properties! {
    TAGS_LIST DIGIKAM "TagsList";
    LAST_KEYWORD_XMP MICROSOFT_PHOTO "LastKeywordXMP";
    HIERARCHICAL_SUBJECT LIGHTROOM "hierarchicalSubject";
    CATALOG_SETS MEDIAPRO "CatalogSets";
    ACDSEE_CATEGORIES ACDSEE "categories";
    SUBJECT DC "subject";
    LOCATION_SHOWN IPTC_EXTENSION "LocationShown";
    CITY PHOTOSHOP "City";
    STATE PHOTOSHOP "State";
    COUNTRY PHOTOSHOP "Country";
    COUNTRY_CODE IPTC_CORE "CountryCode";
    SIDECAR_FOR_EXTENSION PHOTOSHOP "SidecarForExtension";
    GPS_LATITUDE EXIF "GPSLatitude";
    GPS_LONGITUDE EXIF "GPSLongitude";
    GPS_ERROR EXIF "GPSHPositioningError";
    GPS_METHOD EXIF "GPSProcessingMethod";
    GPS_DATUM EXIF "GPSMapDatum";
    METADATA_DATE XMP "MetadataDate";
    HISTORY XMP_MM "History";
    HAS_EXTENDED_XMP XMP_NOTE "HasExtendedXMP";
    MARKS CAIRN "marks";
}

impl Property {
    /// The name with its usual prefix: `dc:subject`.
    pub fn qualified(self) -> String {
        format!("{}:{}", self.namespace.prefix, self.name)
    }

    /// The property of a name as [`Property::qualified`] gives it.
    pub fn of_qualified(name: &str) -> Option<Property> {
        Property::ALL.iter().copied().find(|property| property.qualified() == name)
    }
}

impl serde::Serialize for Property {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.qualified())
    }
}

impl<'de> serde::Deserialize<'de> for Property {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Property::of_qualified(&name)
            .ok_or_else(|| serde::de::Error::custom(format!("unknown property {name}")))
    }
}
