//! Conway's game of life on a torus; one game in the module's memory.
use std::cell::RefCell;
use std::collections::HashSet;

#[derive(Default)]
struct Game {
    size: i32,
    alive: HashSet<(i32, i32)>,
    picture: String,
}

thread_local!(static GAME: RefCell<Game> = RefCell::new(Game::default()));

impl Game {
    fn neighbours(&self, (x, y): (i32, i32)) -> impl Iterator<Item = (i32, i32)> {
        let size = self.size;
        (-1..=1).flat_map(move |dx| (-1..=1).map(move |dy| (dx, dy)))
            .filter(|&d| d != (0, 0))
            .map(move |(dx, dy)| ((x + dx).rem_euclid(size), (y + dy).rem_euclid(size)))
    }

    fn step(&mut self) {
        let crowd = |cell| self.neighbours(cell).filter(|n| self.alive.contains(n)).count();
        let next = self.alive.iter().flat_map(|&cell| self.neighbours(cell).chain([cell]))
            .filter(|&cell| matches!((self.alive.contains(&cell), crowd(cell)), (true, 2) | (_, 3)))
            .collect();
        self.alive = next;
    }

    fn draw(&mut self) {
        self.picture = (0..self.size)
            .map(|y| (0..self.size).map(|x| if self.alive.contains(&(x, y)) { '#' } else { '.' }).chain(['\n']).collect::<String>())
            .collect();
    }
}

/// A new game of `size` x `size` cells, all dead.
#[no_mangle]
pub extern "C" fn start(size: i32) {
    GAME.with(|game| *game.borrow_mut() = Game { size: size.max(3), ..Game::default() });
}

#[no_mangle]
pub extern "C" fn live(x: i32, y: i32) {
    GAME.with(|game| {
        let mut game = game.borrow_mut();
        let size = game.size;
        game.alive.insert((x.rem_euclid(size), y.rem_euclid(size)));
    });
}

#[no_mangle]
pub extern "C" fn step(times: u32) {
    GAME.with(|game| (0..times).for_each(|_| game.borrow_mut().step()));
}

/// Draws the game; where its picture is, until the next call.
#[no_mangle]
pub extern "C" fn picture() -> *const u8 {
    GAME.with(|game| {
        game.borrow_mut().draw();
        game.borrow().picture.as_ptr()
    })
}

#[no_mangle]
pub extern "C" fn picture_length() -> usize {
    GAME.with(|game| game.borrow().picture.len())
}
