//! Labels with a closed list of values, so that no request can make a series.

/// One label: an enum whose values are known.
pub trait Label: Copy + Send + Sync + 'static {
    /// The label's name.
    const NAME: &'static str;
    /// Every value as it is shown, in the order of [`Label::index`].
    const VALUES: &'static [&'static str];

    /// Its place among the values.
    fn index(self) -> usize;
}

/// One label or two.
pub trait Labels: Copy + Send + Sync + 'static {
    /// How many there are.
    const COUNT: usize;

    /// Its place among all.
    fn index(self) -> usize;

    /// The names and values of the one at this place.
    fn shown(index: usize) -> Vec<(&'static str, &'static str)>;
}

fn pair<L: Label>(index: usize) -> (&'static str, &'static str) {
    (L::NAME, L::VALUES.get(index).copied().unwrap_or_default())
}

impl<A: Label, B: Label> Labels for (A, B) {
    const COUNT: usize = A::VALUES.len() * B::VALUES.len();

    fn index(self) -> usize {
        self.0.index() * B::VALUES.len() + self.1.index()
    }

    fn shown(index: usize) -> Vec<(&'static str, &'static str)> {
        let columns = B::VALUES.len().max(1);
        vec![pair::<A>(index / columns), pair::<B>(index % columns)]
    }
}

impl<A: Label> Labels for (A,) {
    const COUNT: usize = A::VALUES.len();

    fn index(self) -> usize {
        self.0.index()
    }

    fn shown(index: usize) -> Vec<(&'static str, &'static str)> {
        vec![pair::<A>(index)]
    }
}

/// An enum as a label: `label! { /// Doc. pub enum Work as "work" { /// Doc. Read "read", … } }`.
#[macro_export]
macro_rules! label {
    ($(#[$doc:meta])* $scope:vis enum $name:ident as $label:literal { $($(#[$value_doc:meta])* $value:ident $shown:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        $scope enum $name { $($(#[$value_doc])* $value),+ }

        impl $crate::Label for $name {
            const NAME: &'static str = $label;
            const VALUES: &'static [&'static str] = &[$($shown),+];

            fn index(self) -> usize {
                self as usize
            }
        }
    };
}
