//! How well colours can be told apart: contrast, and distance as eyes with and without a colour
//! deficiency see it. Themes are tested with it; nothing is drawn with it.
//!
//! Contrast is WCAG 2.2's. Distance is CIE76 ΔE in CIELAB under D65; deficiencies are simulated in
//! linear RGB with the matrices of Machado, Oliveira and Fernandes (2009) at full severity.

use crate::words;

/// A colour in sRGB, each channel 0 to 255.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rgb(pub [u8; 3]);

words! {
    /// How an eye sees colours.
    Vision, "vision" {
        Normal => "normal",
        Protan => "protan",
        Deutan => "deutan",
        Tritan => "tritan",
    }
}

type Triple = [f64; 3];

/// What linear RGB becomes without the cones for long waves.
const PROTAN: [Triple; 3] = [
    [0.152_286, 1.052_583, -0.204_868],
    [0.114_503, 0.786_281, 0.099_216],
    [-0.003_882, -0.048_116, 1.051_998],
];
/// Without those for middle ones.
const DEUTAN: [Triple; 3] = [
    [0.367_322, 0.860_646, -0.227_968],
    [0.280_085, 0.672_501, 0.047_413],
    [-0.011_820, 0.042_940, 0.968_881],
];
/// Without those for short ones.
const TRITAN: [Triple; 3] = [
    [1.255_528, -0.076_749, -0.178_779],
    [-0.078_411, 0.930_809, 0.147_602],
    [0.004_733, 0.691_367, 0.303_900],
];
/// From linear sRGB to CIE XYZ (IEC 61966-2-1).
const TO_XYZ: [Triple; 3] = [
    [0.412_456_4, 0.357_576_1, 0.180_437_5],
    [0.212_672_9, 0.715_152_2, 0.072_175_0],
    [0.019_333_9, 0.119_192_0, 0.950_304_1],
];
/// The white of D65 in XYZ.
const WHITE: Triple = [0.950_47, 1.0, 1.088_83];

impl Rgb {
    /// Reads `#rrggbb`, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        let hex = text.trim().strip_prefix('#')?;
        if hex.len() != 6 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let channel = |at: usize| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok();
        Some(Self([channel(0)?, channel(2)?, channel(4)?]))
    }

    fn linear(self) -> Triple {
        self.0.map(|channel| {
            let c = f64::from(channel) / 255.0;
            if c <= 0.040_45 {
                c / 12.92
            } else {
                ((c + 0.055) / 1.055).powf(2.4)
            }
        })
    }

    fn luminance(self) -> f64 {
        let [red, green, blue] = self.linear();
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

/// The contrast of two colours, 1 to 21. Text wants 4.5, frames of controls and marks 3.
pub fn contrast(one: Rgb, other: Rgb) -> f64 {
    let (one, other) = (one.luminance(), other.luminance());
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// How far apart an eye sees two colours: 0 is the same, about 2.3 is just noticeable.
pub fn distance(one: Rgb, other: Rgb, vision: Vision) -> f64 {
    let (one, other) = (lab(one, vision), lab(other, vision));
    let squares = one.iter().zip(other).map(|(a, b)| (a - b).powi(2));
    squares.sum::<f64>().sqrt()
}

/// The least distance between any two of these colours; `None` of fewer than two.
pub fn least_distance(colours: &[Rgb], vision: Vision) -> Option<f64> {
    let pairs = colours.iter().enumerate().flat_map(|(n, one)| {
        colours[n + 1..]
            .iter()
            .map(move |other| distance(*one, *other, vision))
    });
    pairs.min_by(f64::total_cmp)
}

fn lab(colour: Rgb, vision: Vision) -> Triple {
    let linear = colour.linear();
    let seen = match vision {
        Vision::Normal => linear,
        Vision::Protan => times(&PROTAN, linear),
        Vision::Deutan => times(&DEUTAN, linear),
        Vision::Tritan => times(&TRITAN, linear),
    };
    let xyz = times(&TO_XYZ, seen.map(|channel| channel.clamp(0.0, 1.0)));
    let curve = |part: f64| {
        let delta = 6.0_f64 / 29.0;
        if part > delta.powi(3) {
            part.cbrt()
        } else {
            part / (3.0 * delta.powi(2)) + 4.0 / 29.0
        }
    };
    let [x, y, z] = [0, 1, 2].map(|n: usize| curve(xyz[n] / WHITE[n]));
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

fn times(matrix: &[Triple; 3], [a, b, c]: Triple) -> Triple {
    matrix.map(|[x, y, z]| x * a + y * b + z * c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rgb(text: &str) -> Rgb {
        Rgb::parse(text).expect(text)
    }

    #[test]
    fn contrast_is_what_the_standard_says() {
        assert!((contrast(rgb("#000000"), rgb("#FFFFFF")) - 21.0).abs() < 1e-9);
        assert!((contrast(rgb("#777777"), rgb("#ffffff")) - 4.48).abs() < 0.01);
        assert!((contrast(rgb("#1659c7"), rgb("#1659c7")) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn known_colours_are_where_cielab_has_them() {
        let near = |colour: &str, expected: Triple| {
            let found = lab(rgb(colour), Vision::Normal);
            let is_near = found
                .iter()
                .zip(expected)
                .all(|(a, b)| (a - b).abs() < 0.02);
            assert!(is_near, "{colour}: {found:?}");
        };
        near("#ffffff", [100.0, 0.0, 0.0]);
        near("#ff0000", [53.24, 80.09, 67.20]);
        near("#0000ff", [32.30, 79.19, -107.86]);
    }

    #[test]
    fn a_deficiency_brings_its_colours_together_and_leaves_greys() {
        let (red, green) = (rgb("#c04000"), rgb("#608000"));
        let seen = |vision| distance(red, green, vision);
        assert!(seen(Vision::Normal) > 60.0);
        assert!(seen(Vision::Protan) < seen(Vision::Normal) / 2.0);
        assert!(seen(Vision::Deutan) < seen(Vision::Normal) / 2.0);
        for vision in Vision::ALL {
            let greys = distance(rgb("#222222"), rgb("#dddddd"), *vision);
            let normal = distance(rgb("#222222"), rgb("#dddddd"), Vision::Normal);
            assert!((greys - normal).abs() < 0.5, "{vision}");
        }
    }

    #[test]
    fn the_least_distance_is_of_the_nearest_two() {
        let colours = ["#ff4d67", "#ffa140", "#fbe88a", "#4da6f0", "#94a1b0"].map(rgb);
        for (vision, expected) in [
            (Vision::Normal, 35.6),
            (Vision::Protan, 23.5),
            (Vision::Deutan, 22.3),
            (Vision::Tritan, 29.8),
        ] {
            let found = least_distance(&colours, vision).expect("several");
            assert!((found - expected).abs() < 0.3, "{vision}: {found:.2}");
        }
        assert_eq!(least_distance(&colours[..1], Vision::Normal), None);
    }

    #[test]
    fn only_six_digits_are_a_colour() {
        for text in ["", "#fff", "ffffff", "#fffffg", "#ffffffff", "#ééé"] {
            assert_eq!(Rgb::parse(text), None, "{text}");
        }
    }
}
