//! Rights as properties: what a token is issued for, and what taking away takes.

#[cfg(test)]
mod issued;
#[cfg(test)]
mod monotone;
