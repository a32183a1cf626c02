//! `preference`: small choices of the window, by key, as JSON.
