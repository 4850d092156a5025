use crate::slices::search::{Contrast, Found, Level, Search, further_dimension};

impl<const K: usize, C: Contrast<K>> Search<'_, K, C> {
    /// The slice with a condition more or less that the cells tell is rather to be named, by the ratio of likelihoods (S. S.
    /// Wilks, "The Large-Sample Distribution of the Likelihood Ratio for Testing Composite Hypotheses", Ann. Math. Stat. 9
    /// (1938)) and the wider choice among slices of more conditions.
    pub(super) fn nested(&self, named: &Found, total: &[f64; K], levels: &[Level]) -> Option<Found> {
        let own = self.sums(&named.conditions)?;
        let mut most = (0.0, None);
        let mut consider = |gain: f64, conditions: Vec<(usize, u32)>, sums: &[f64; K]| {
            if gain > most.0
                && let Some(found) = self.judge(conditions, sums, total, levels)
            {
                most = (gain, Some(found));
            }
        };
        for at in 0..named.conditions.len() {
            let mut fewer = named.conditions.clone();
            fewer.remove(at);
            if let Some(whole) = self.sums(&fewer)
                && let Some(narrower) = self.narrower(&whole, &own, fewer.len(), total, levels)
            {
                consider(-narrower, fewer, &whole);
            }
        }
        for table in &self.tables {
            let Some(at) = further_dimension(&table.dimensions, &named.conditions) else {
                continue;
            };
            let further = table.dimensions[at];
            for code in 0..self.grid.cardinalities[further] as u32 {
                let mut more = named.conditions.clone();
                more.insert(at, (further, code));
                if let Some(part) = table.place(&more).map(|place| &table.sums[place])
                    && let Some(narrower) = self.narrower(&own, part, named.conditions.len(), total, levels)
                {
                    consider(narrower, more, part);
                }
            }
        }
        most.1
    }

    /// How much rather a part alone has an effect than the whole slice, as a logarithm, its choice paid for: what is left of the
    /// slice has then none, else the same as the part. `None` where either tells too little.
    fn narrower(
        &self,
        whole: &[f64; K],
        part: &[f64; K],
        conditions: usize,
        total: &[f64; K],
        levels: &[Level],
    ) -> Option<f64> {
        let (fewer, more) = (levels.get(conditions.checked_sub(1)?)?, levels.get(conditions)?);
        let less = |a: &[f64; K], b: &[f64; K]| std::array::from_fn(|at| a[at] - b[at]);
        let left = less(whole, part);
        // Each is compared with what is outside of the whole slice
        let (of_part, error_of_part) = self.contrast.estimate(part, &less(total, &left))?;
        let (of_left, error_of_left) = self.contrast.estimate(&left, &less(total, part))?;
        let gain = more
            .scatter
            .log_likelihood(of_part - of_left, error_of_part.hypot(error_of_left))
            - more.scatter.log_likelihood(of_left, error_of_left);
        Some(gain - (more.slices / fewer.slices).ln())
    }

    /// The sums of the slice of these conditions.
    fn sums(&self, conditions: &[(usize, u32)]) -> Option<[f64; K]> {
        let mut tables = self.tables.iter();
        tables.find_map(|table| table.place(conditions).map(|place| table.sums[place]))
    }
}
