//! Decimals of few places: the same number in text and in binary.

/// A number of at most six decimals, 0 or more.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Decimal {
    units: u64,
    decimals: u32,
}

const POWERS: [u64; 7] = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000];
const MOST_DECIMALS: u32 = 6;

impl Decimal {
    /// `value` rounded to `decimals`, at most 6, and at least `least` of its last place.
    pub(crate) fn round(value: f64, decimals: u32, least: u64) -> Self {
        let scaled = (value * POWERS[decimals as usize] as f64).round();
        Self {
            units: (scaled.clamp(0.0, 1e15) as u64).max(least),
            decimals,
        }
    }

    /// The nearest double: a division of integers that are both exact.
    pub(crate) fn value(self) -> f64 {
        self.units as f64 / POWERS[self.decimals as usize] as f64
    }

    /// In millionths, exactly.
    pub(crate) fn micros(self) -> i128 {
        i128::from(self.units) * i128::from(POWERS[(MOST_DECIMALS - self.decimals) as usize])
    }

    /// The square of the nearest double, rounded to 10⁻⁹, in these.
    pub(crate) fn square_nanos(self) -> i128 {
        let small = match self.decimals {
            0 => self.units < 1 << 26,
            1..=3 => self.units < 1_000_000,
            _ => false,
        };
        if small {
            // The double is then so near the decimal that its digits are the decimal's.
            return i128::from(self.units * self.units)
                * i128::from(1_000_000_000 / POWERS[2 * self.decimals as usize]);
        }
        let square = self.value() * self.value();
        format!("{square:.9}")
            .replace('.', "")
            .parse()
            .unwrap_or(i128::MAX)
    }

    pub(crate) fn write(self, json: &mut Vec<u8>) {
        let scale = POWERS[self.decimals as usize];
        write_integer(self.units / scale, 1, json);
        if self.decimals > 0 {
            json.push(b'.');
            write_integer(self.units % scale, self.decimals as usize, json);
        }
    }
}

/// A whole number, with zeros in front up to that many digits.
pub(crate) fn write_integer(number: u64, least_digits: usize, text: &mut Vec<u8>) {
    let mut digits = [b'0'; 20];
    let (mut left, mut first) = (number, digits.len());
    while left > 0 {
        first -= 1;
        digits[first] = b'0' + (left % 10) as u8;
        left /= 10;
    }
    text.extend_from_slice(&digits[first.min(digits.len() - least_digits)..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_is_the_same_number_in_text_and_in_binary() {
        for (value, decimals, text) in [
            (81.66, 1, "81.7"),
            (0.0004, 3, "0.001"),
            (1234.0, 0, "1234"),
            (0.0, 0, "1"),
            (0.002_1, 6, "0.002100"),
        ] {
            let decimal = Decimal::round(value, decimals, 1);
            let mut json = Vec::new();
            decimal.write(&mut json);
            assert_eq!(String::from_utf8(json.clone()).unwrap(), text);
            assert_eq!(
                std::str::from_utf8(&json).unwrap().parse::<f64>().unwrap(),
                decimal.value()
            );
            let square = format!("{:.9}", decimal.value() * decimal.value());
            assert_eq!(
                decimal.square_nanos().to_string(),
                square.replace('.', "").trim_start_matches('0')
            );
            assert_eq!(decimal.micros(), (decimal.value() * 1e6).round() as i128);
        }
    }
}
